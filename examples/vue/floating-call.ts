import type { TeleconsultClient } from '@teleconsult/client-sdk';
import {
  defineFloatingCall,
  type FloatingCall as FloatingCallElement,
  type FloatingCallEventMap,
} from '@teleconsult/client-sdk/ui';
import { defineComponent, h, type PropType, shallowRef } from 'vue';

defineFloatingCall();

/** The element as a Vue component: typed in templates, and no `isCustomElement` to configure. */
export const FloatingCall = defineComponent({
  props: {
    client: { type: Object as PropType<TeleconsultClient>, required: true },
    nameOf: { type: Function as PropType<(personId: string) => string>, required: true },
    expanded: Boolean,
    unread: { type: Number, default: 0 },
  },
  emits: {
    expand: (_call: FloatingCallEventMap['teleconsult-expand']['detail']) => true,
  },
  setup(props, { emit, expose }) {
    const element = shallowRef<FloatingCallElement | null>(null);
    expose({ float: () => element.value?.float() });
    return () =>
      h('teleconsult-floating-call', {
        ...props,
        ref: element,
        onTeleconsultExpand: ({ detail }: FloatingCallEventMap['teleconsult-expand']) =>
          emit('expand', detail),
      });
  },
});
