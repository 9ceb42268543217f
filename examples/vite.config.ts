import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

/** The server that "npm start" runs. */
const server = process.env['TELECONSULT_URL'] ?? 'http://127.0.0.1:3000';

/**
 * The example's page and the server under one origin, as a reverse proxy does it for your app: then nothing has to be set
 * up for other origins.
 */
const proxy = { '/v1': server, '/socket.io': { target: server, ws: true } };

/** What the SDK and the floating window need, and nothing else. docs/EMBEDDING.md says what each is for. */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob:",
  "media-src 'self' blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const headers = {
  'Content-Security-Policy': CONTENT_SECURITY_POLICY,
  'Permissions-Policy': 'microphone=(self), camera=(self), display-capture=(self), picture-in-picture=(self)',
};

/** One configuration for all examples: `vite examples/react --config examples/vite.config.ts`. */
export default defineConfig({
  publicDir: fileURLToPath(new URL('./public', import.meta.url)),
  server: { port: 5173, strictPort: true, proxy },
  preview: { port: 5173, strictPort: true, proxy, headers },
  build: { target: 'es2022', assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  // JSX is compiled by Vite itself. Vue asks for these three when no plugin answers them.
  define: {
    __VUE_OPTIONS_API__: 'false',
    __VUE_PROD_DEVTOOLS__: 'false',
    __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: 'false',
  },
});
