import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** The pages with mock data: `vite --config web/dev/vite.config.ts`, then `/dev/patient.html?scene=thread`. */
export default defineConfig({
  root: here('..'),
  build: {
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: { index: here('../index.html'), patient: here('patient.html'), doctor: here('doctor.html') },
    },
  },
});
