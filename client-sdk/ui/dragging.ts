/** How far a pointer goes before it drags: less is a press with an unsteady hand. */
const SLOP_PX = 5;
/** The speed at the end is that of the last stretch of this length. */
const SPEED_MS = 80;

interface Way {
  readonly x: number;
  readonly y: number;
}

interface DragActs {
  /** False: this press is not for dragging. */
  start(event: PointerEvent): boolean;
  /** The way since the start, in CSS pixels. */
  move(way: Way): void;
  /** Speed in pixels for each millisecond. */
  end(speed: Way): void;
}

/**
 * Drags by mouse, pen or finger. One pointer at a time; a second finger changes nothing. The element keeps `touch-action:
 * none`, for the browser would take the finger for scrolling.
 */
export function dragBy(element: HTMLElement, acts: DragActs): void {
  let held: { id: number; from: Way; isDragging: boolean; samples: { at: number; way: Way }[] } | null = null;

  const finish = (): void => {
    if (held === null) return;
    const { isDragging, samples } = held;
    held = null;
    if (isDragging) acts.end(speedOf(samples));
  };

  element.addEventListener('pointerdown', (event) => {
    if (held !== null || event.button !== 0 || !acts.start(event)) return;
    held = {
      id: event.pointerId,
      from: { x: event.clientX, y: event.clientY },
      isDragging: false,
      samples: [],
    };
    element.setPointerCapture(event.pointerId);
  });
  element.addEventListener('pointermove', (event) => {
    if (held?.id !== event.pointerId) return;
    const way = { x: event.clientX - held.from.x, y: event.clientY - held.from.y };
    if (!held.isDragging && Math.hypot(way.x, way.y) < SLOP_PX) return;
    held.isDragging = true;
    held.samples = [
      ...held.samples.filter(({ at }) => event.timeStamp - at < SPEED_MS),
      { at: event.timeStamp, way },
    ];
    acts.move(way);
  });
  for (const type of ['pointerup', 'pointercancel', 'lostpointercapture'] as const)
    element.addEventListener(type, (event) => {
      if (held?.id === event.pointerId) finish();
    });
}

function speedOf(samples: readonly { readonly at: number; readonly way: Way }[]): Way {
  const [first, last] = [samples.at(0), samples.at(-1)];
  if (first === undefined || last === undefined || last.at === first.at) return { x: 0, y: 0 };
  const time = last.at - first.at;
  return { x: (last.way.x - first.way.x) / time, y: (last.way.y - first.way.y) / time };
}
