import type { Call, Consultation, TeleconsultClient } from '@teleconsult/client-sdk';
import { defineComponent, h, type PropType, ref, shallowRef, watch } from 'vue';
import { beginCall } from '../begin-call.ts';
import { wordsFor } from '../words.ts';

/** The call in full. Unmounting it ends nothing: the call belongs to the client. */
export const Visit = defineComponent({
  props: {
    client: { type: Object as PropType<TeleconsultClient>, required: true },
    visit: { type: Object as PropType<Consultation | null>, default: null },
  },
  setup(props) {
    const call = shallowRef<Call | null>(null);
    /** The call object stays the same while it changes, so changes are counted. */
    const changes = ref(0);
    const redraw = () => {
      changes.value += 1;
    };
    watch(
      () => props.visit,
      (visit, _before, onCleanup) => {
        call.value = visit?.call ?? null;
        const stop = visit?.on('call', (current) => {
          call.value = current;
        });
        onCleanup(() => stop?.());
      },
      { immediate: true },
    );
    watch(
      call,
      (current, _before, onCleanup) => {
        const events = ['changed', 'remoteTracks', 'localTracks', 'path', 'awaiting'] as const;
        const stops = current === null ? [] : events.map((event) => current.on(event, redraw));
        onCleanup(() => {
          for (const stop of stops) stop();
        });
      },
      { immediate: true },
    );

    const act = (label: string, isShown: boolean, run: () => Promise<unknown> | null | undefined) =>
      isShown ? h('button', { type: 'button', onClick: () => void run()?.catch(console.warn) }, label) : null;

    return () => {
      void changes.value;
      const current = call.value;
      const { visit, client } = props;
      const rings = current?.role === 'incoming' || current?.role === 'elsewhere';
      const isIn = current !== null && !rings;
      const remote = current?.remoteTracks.find(({ source, paused }) => source === 'camera' && !paused);
      return [
        h('h1', 'Visit'),
        h('p', { role: 'status' }, visit === null ? 'One moment…' : wordsFor(current, client.personId)),
        h('div', { class: 'stage' }, [
          h(Video, {
            of: 'other',
            track: remote?.track ?? null,
            onSize: (size: { width: number; height: number }) => remote?.setViewport(size),
          }),
          h(Video, { of: 'own', track: current?.localTracks.camera ?? null }),
        ]),
        act('Call', visit !== null && current === null, () => visit && beginCall(visit)),
        act(current?.role === 'elsewhere' ? 'Go on here' : 'Answer', rings, () => current?.accept()),
        act('Tap to go on', isIn && current.awaiting.length > 0, () => current?.continueSources()),
        act(current?.microphoneOn ? 'Mute' : 'Unmute', isIn, () =>
          current?.setMicrophone(!current.microphoneOn),
        ),
        act(current?.cameraOn ? 'Camera off' : 'Camera on', isIn, () =>
          current?.setCamera(!current.cameraOn),
        ),
        act('Hang up', isIn, () => current?.hangUp()),
      ];
    };
  },
});

/** The element plays the sound of the call, so pictures stay silent. */
const Video = defineComponent({
  props: {
    of: { type: String, required: true },
    track: { type: Object as PropType<MediaStreamTrack | null>, default: null },
  },
  emits: { size: (_size: { width: number; height: number }) => true },
  setup(props, { emit }) {
    const video = shallowRef<HTMLVideoElement | null>(null);
    watch(
      [video, () => props.track],
      ([element, track]) => {
        if (element === null) return;
        element.srcObject = track === null ? null : new MediaStream([track]);
        emit('size', { width: element.clientWidth, height: element.clientHeight });
      },
      { flush: 'post' },
    );
    return () =>
      h('video', { ref: video, 'data-of': props.of, autoplay: true, muted: true, playsinline: true });
  },
});
