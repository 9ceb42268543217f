import type { FloatingCall, FloatingCallEventMap } from '@teleconsult/client-sdk/ui';
import type { HTMLAttributes, Ref } from 'react';

type Settings = Partial<Pick<FloatingCall, 'client' | 'expanded' | 'nameOf' | 'unread' | 'silent'>>;
type Listeners = {
  readonly [Name in keyof FloatingCallEventMap as `on${Name}`]?: (event: FloatingCallEventMap[Name]) => void;
};

/** Lets JSX know the element. React 19 sets its properties and listens to its events by these names. */
declare module 'react' {
  namespace JSX {
    interface IntrinsicElements {
      'teleconsult-floating-call': HTMLAttributes<FloatingCall> &
        Settings &
        Listeners & { readonly ref?: Ref<FloatingCall> };
    }
  }
}
