import { existsSync } from 'node:fs';
import { join } from 'node:path';
import express, { type RequestHandler, Router } from 'express';

/** Assets carry a hash of their content in their name, so they never change under it. */
const ASSET_MAX_AGE_MS = 365 * 24 * 3_600_000;

/** Serves the built reference pages. Without a build it says what to run. */
export function pagesRouter(folder: string): Router {
  const router = Router();
  if (!existsSync(join(folder, 'index.html'))) {
    router.get('/', (_request, response) => {
      response.type('text/plain').send('The reference pages are not built: run "npm start".');
    });
    return router;
  }
  router.use(
    '/assets',
    express.static(join(folder, 'assets'), { immutable: true, maxAge: ASSET_MAX_AGE_MS, index: false }),
  );
  for (const page of ['patient', 'doctor']) router.get(`/${page}`, sendPage(folder, `${page}.html`));
  router.use(
    express.static(folder, {
      extensions: false,
      setHeaders: (response) => response.setHeader('Cache-Control', 'no-cache'),
    }),
  );
  return router;
}

const sendPage =
  (folder: string, file: string): RequestHandler =>
  (_request, response) => {
    response.setHeader('Cache-Control', 'no-cache');
    response.sendFile(file, { root: folder });
  };
