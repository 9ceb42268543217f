import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const page = (name: string): string => fileURLToPath(new URL(`./${name}.html`, import.meta.url));

/** The service worker keeps its name and place: its path is its scope, and browsers look for news of it there. */
const entryFileNames = ({ name }: { name: string }): string =>
  name === 'sw' ? 'sw.js' : 'assets/[name]-[hash].js';

/** Three pages and a service worker, no inline scripts or data URLs: the server's content security policy allows neither. */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      output: {
        entryFileNames,
        codeSplitting: {
          groups: [
            // Without its small window, what is recorded and masked calls, which are fetched when there is one, and failures
            // to try out, which never are.
            {
              name: 'client-sdk',
              test: /client-sdk(?!\/ui\/|\/records\/|\/phone\/|\/simulation\/simulation)|mediasoup-client|socket\.io|engine\.io|tus-js-client/,
            },
          ],
        },
      },
      input: {
        index: page('index'),
        patient: page('patient'),
        doctor: page('doctor'),
        sw: fileURLToPath(new URL('./sw.ts', import.meta.url)),
      },
    },
  },
});
