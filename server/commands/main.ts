/** The operator's command line: `node server/commands/main.ts vault status`, or `npm run vault -- status`. */
import { resolve } from 'node:path';
import { kmsOf, Settings } from '../config.ts';
import { objectPlaces, objectStoreSettings } from '../storage/objects/object-store-settings.ts';
import { runCommand } from './run.ts';

const PREFIX = 'TELECONSULT_';

/** Of the server's settings those that say where the data and its keys are; the others need not be there. */
const CommandSettings = Settings.pick({
  DATA_DIR: true,
  VAULT_KMS_KEY_ID: true,
  VAULT_KMS_FORMER_KEY_IDS: true,
  VAULT_KMS_ENDPOINT: true,
})
  .extend(objectStoreSettings)
  .strip();

const say = (line: string): void => void process.stdout.write(`${line}\n`);

function readSettings() {
  const own = Object.entries(process.env).flatMap(([name, value]) =>
    name.startsWith(PREFIX) ? [[name.slice(PREFIX.length), value] as const] : [],
  );
  const settings = CommandSettings.safeParse(Object.fromEntries(own));
  if (!settings.success) {
    const wrong = settings.error.issues.map(({ path, message }) => `${PREFIX}${path.join('.')} ${message}`);
    throw new Error(`Configuration: ${wrong.join('; ')}`);
  }
  return {
    dataFolder: resolve(settings.data.DATA_DIR),
    kms: kmsOf(settings.data),
    objectPlaces: objectPlaces(settings.data, PREFIX),
  };
}

try {
  process.exitCode = await runCommand(process.argv.slice(2), { ...readSettings(), say, now: Date.now });
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
