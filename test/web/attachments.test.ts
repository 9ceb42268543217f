import { type AttachmentId, AttachmentId as AttachmentIdSchema } from '@teleconsult/protocol';
import { MAX_CAPTION_LENGTH, MAX_UPLOAD_BYTES } from '@teleconsult/protocol/limits';
import { describe, expect, it } from 'vitest';
import { AttachmentBlobs } from '../../web/state/attachment-blobs.ts';
import { draftsOf, pending, refusal } from '../../web/state/pending-attachment.ts';
import { fitted } from '../../web/state/picture-box.ts';
import { bars } from '../../web/state/waveform.ts';

const attachmentId = (number: number): AttachmentId =>
  AttachmentIdSchema.parse(`att_${String(number).padStart(22, '0')}`);
const picture = () => pending(new File(['x'], 'arm.jpg', { type: 'image/jpeg' }), 'image');

describe('what is chosen to be sent', () => {
  it('[WEB5] a text beside one attachment is its caption', () => {
    const drafts = draftsOf([picture()], '  since Monday \n');
    expect(drafts).toMatchObject([{ type: 'image', caption: 'since Monday' }]);
  });

  it('[WEB5] a text beside several, or too long for a caption, is a message after them', () => {
    expect(draftsOf([picture(), picture()], 'both arms').map(({ type }) => type)).toEqual([
      'image',
      'image',
      'text',
    ]);
    const long = 'x'.repeat(MAX_CAPTION_LENGTH + 1);
    expect(draftsOf([picture()], long).map(({ type }) => type)).toEqual(['image', 'text']);
  });

  it('[WEB5] blank text alone is nothing', () => {
    expect(draftsOf([], ' \n ')).toEqual([]);
    expect(draftsOf([picture()], ' ')).toHaveLength(1);
  });

  it('[WEB5] a pasted or dropped SVG is a file: as a picture it could hold scripts', () => {
    const svg = new File(['<svg/>'], 'a.svg', { type: 'image/svg+xml' });
    expect(pending(svg, 'either').type).toBe('file');
    expect(pending(new File(['x'], 'a.png', { type: 'image/png' }), 'either').type).toBe('image');
  });

  it('[WEB5] empty and too large files are refused before anything is uploaded', () => {
    expect(refusal(pending(new File([], 'a.pdf'), 'file'))?.reason).toBe('empty');
    const large = Object.defineProperty(new File(['x'], 'a.jpg'), 'size', {
      value: MAX_UPLOAD_BYTES.image + 1,
    });
    expect(refusal(pending(large, 'image'))?.reason).toBe('too_large');
    expect(refusal(picture())).toBeNull();
  });
});

describe('attachments of a visit', () => {
  it('[WEB6] are fetched once however many ask, and again after a failure', async () => {
    let fetches = 0;
    const blobs = new AttachmentBlobs(async () => {
      fetches += 1;
      if (fetches === 1) throw new Error('lost');
      return new Blob(['x']);
    });
    await expect(blobs.get(attachmentId(1), 'thumbnail')).rejects.toThrow('lost');
    await Promise.all([blobs.get(attachmentId(1), 'thumbnail'), blobs.get(attachmentId(1), 'thumbnail')]);
    expect(fetches).toBe(2);
    await blobs.get(attachmentId(1), 'original');
    expect(fetches).toBe(3);
  });

  it('[WEB6] take bounded memory: what was used longest ago is let go', async () => {
    const fetched: string[] = [];
    const blobs = new AttachmentBlobs(async (wanted) => {
      fetched.push(wanted);
      return new Blob([new Uint8Array(40)]);
    }, 100);
    const [a, b, c] = [attachmentId(1), attachmentId(2), attachmentId(3)];
    for (const wanted of [a, b, a, c, a, b]) await blobs.get(wanted, 'thumbnail');
    expect(fetched).toEqual([a, b, c, b]);
  });

  it('[WEB6] a closed visit aborts what is being fetched', async () => {
    const blobs = new AttachmentBlobs(
      (_id, _variant, signal) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    );
    const fetching = blobs.get(attachmentId(1), 'original');
    blobs.close();
    await expect(fetching).rejects.toThrow();
  });
});

describe('shapes', () => {
  it('[WEB6] a picture is fitted into the thread and never becomes a strip', () => {
    expect(fitted({ width: 4000, height: 3000 })).toEqual({ width: 264, height: 198 });
    expect(fitted({ width: 3000, height: 4000 })).toEqual({ width: 240, height: 320 });
    expect(fitted({ width: 9000, height: 300 })).toEqual({ width: 264, height: 120 });
    expect(fitted({ width: 1, height: 1 })).toEqual({ width: 120, height: 120 });
  });

  it('[WEB6] a waveform has as many bars as wanted, the loudest at full height, silence at none', () => {
    expect(bars([10, 20, 40, 20], 2)).toEqual([0.5, 1]);
    expect(bars([50], 3)).toEqual([1, 1, 1]);
    expect(bars([], 4)).toEqual([0, 0, 0, 0]);
    expect(
      bars(
        Array.from({ length: 64 }, () => 0),
        40,
      ),
    ).toHaveLength(40);
  });
});
