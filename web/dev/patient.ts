import { showScene } from './scenes.ts';

await showScene('patient');
