export type {
  FloatingCall,
  FloatingCallEventMap,
  FloatingForm,
  FloatingLanguage,
  FloatingState,
} from './floating-call-api.ts';
