import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const page = (name: string): string => fileURLToPath(new URL(`./${name}.html`, import.meta.url));

/** Three pages, no inline scripts or data URLs: the server's content security policy allows neither. */
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
        codeSplitting: {
          groups: [
            { name: 'client-sdk', test: /client-sdk|mediasoup-client|socket\.io|engine\.io|tus-js-client/ },
          ],
        },
      },
      input: { index: page('index'), patient: page('patient'), doctor: page('doctor') },
    },
  },
});
