export { defineFloatingCall } from './define-floating-call.ts';
export type {
  FloatingCall,
  FloatingCallEventMap,
  FloatingForm,
  FloatingLanguage,
  FloatingState,
} from './floating-call-api.ts';
export { FloatingCallElement } from './floating-call-element.ts';
