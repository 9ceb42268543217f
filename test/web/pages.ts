/** The pages with mock data, built to a folder of their own and served as the server does: under its content policy. */
import { createReadStream, existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { build } from 'vite';
import { tempDir } from '../helpers/temp-dir.ts';

const WEB = new URL('../../web/', import.meta.url).pathname;

const CONTENT_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob:",
  "media-src 'self' blob:",
  "connect-src 'self' ws: wss:",
].join('; ');

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

export interface BuiltPages extends AsyncDisposable {
  readonly folder: string;
}

/** `pages`: what visitors get. `scenes`: the same elements with mock data. */
export async function buildPages(what: 'pages' | 'scenes'): Promise<BuiltPages> {
  await using stack = new AsyncDisposableStack();
  const { path } = stack.use(await tempDir());
  await asForVisitors(() =>
    build({
      configFile: join(WEB, what === 'pages' ? 'vite.config.ts' : 'dev/vite.config.ts'),
      logLevel: 'error',
      build: { outDir: path, emptyOutDir: true },
    }),
  );
  const owned = stack.move();
  return { folder: path, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Vitest says `test`, which builds the elements' library with its warnings for developers. */
async function asForVisitors(work: () => Promise<unknown>): Promise<void> {
  const before = process.env['NODE_ENV'];
  process.env['NODE_ENV'] = 'production';
  try {
    await work();
  } finally {
    if (before === undefined) delete process.env['NODE_ENV'];
    else process.env['NODE_ENV'] = before;
  }
}

export async function servePages(folder: string): Promise<{ origin: string } & AsyncDisposable> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const file = join(folder, pathname === '/' ? 'index.html' : pathname);
    if (!existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, {
      'Content-Type': CONTENT_TYPES[extname(file)] ?? 'application/octet-stream',
      'Content-Security-Policy': CONTENT_POLICY,
    });
    createReadStream(file).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    origin: `http://127.0.0.1:${address.port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
