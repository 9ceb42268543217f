/** The box a picture is fitted into, in CSS pixels; panoramas and strips are cut to a still readable shape. */
const BOX = { width: 264, height: 320, least: 120 } as const;

/** The size that a picture is shown at in the thread. */
export function fitted(picture: { width: number; height: number }): { width: number; height: number } {
  const scale = Math.min(BOX.width / picture.width, BOX.height / picture.height, 1);
  return {
    width: Math.max(BOX.least, Math.round(picture.width * scale)),
    height: Math.max(BOX.least, Math.round(picture.height * scale)),
  };
}
