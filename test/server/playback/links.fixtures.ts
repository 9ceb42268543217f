import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { problems, requestIds } from '@teleconsult/server/http/problem';
import { recordingMediaRouter } from '@teleconsult/server/http/recording-media';
import { MEDIA_PATH } from '@teleconsult/server/playback/media-links';
import express from 'express';
import { asked, consultationId, fileId, openStage, recordingId, type Stage } from './playback.fixtures.ts';

export interface LinkStage extends Stage {
  readonly origin: string;
  /** A link to a file of recording 1. */
  link(
    file: number,
    options?: { readonly by?: string; readonly right?: 'play' | 'download' },
  ): Promise<string>;
}

/** Playback behind the real route, on a free port. */
export async function openLinkStage(): Promise<LinkStage> {
  await using parts = new AsyncDisposableStack();
  const stage = parts.use(await openStage());
  const app = express();
  app.set('etag', false);
  app.use(requestIds);
  app.use(MEDIA_PATH, recordingMediaRouter(stage.playback.links));
  app.use(problems(stage.parts.log));
  const http = createServer(app);
  await new Promise<void>((resolve) => {
    http.listen(0, '127.0.0.1', resolve);
  });
  parts.defer(async () => {
    http.closeAllConnections();
    await new Promise((resolve) => http.close(resolve));
  });
  const origin = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const owned = parts.move();
  return {
    ...stage,
    origin,
    link: async (file, { by = 'doc', right = 'play' } = {}) => {
      const { url } = await stage.playback.link(
        { consultationId, recordingId: recordingId(1), fileId: fileId(file), right },
        asked(by),
      );
      return origin + url;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
