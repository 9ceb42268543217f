import { routes } from '@teleconsult/protocol';
import type { Request, Response } from 'express';
import type { Caller } from '../identity/tokens.ts';
import type { PublishedClips } from '../playback/published-clips.ts';
import { consultation, named } from './asked.ts';
import { answerMedia } from './recording-media.ts';
import { Streams } from './streams.ts';

type ClipRoute = 'listClips' | 'getClip' | 'getClipFile' | 'withdrawClip';
type Endpoint = (request: Request, response: Response, caller: Caller) => Promise<void>;

/** Published clips, for the host application alone. */
export function clipEndpoints(clips: PublishedClips): Record<ClipRoute, Endpoint> {
  const streams = new Streams();
  return {
    listClips: async (request, response, caller) => {
      response.json({ clips: await clips.list(consultation(request, caller)) });
    },
    getClip: async (request, response, caller) => {
      const id = consultation(request, caller);
      response.json(await clips.read(id, named(routes.getClip, 'noteId', request)));
    },
    getClipFile: async (request, response, caller) => {
      const id = consultation(request, caller);
      const noteId = named(routes.getClipFile, 'noteId', request);
      const number = named(routes.getClipFile, 'number', request);
      const leave = streams.enter('host');
      try {
        await using media = await clips.open(id, noteId, number);
        await answerMedia(request, response, media);
      } finally {
        leave();
      }
    },
    withdrawClip: async (request, response, caller) => {
      const id = consultation(request, caller);
      response.json(await clips.withdraw(id, named(routes.withdrawClip, 'noteId', request)));
    },
  };
}
