/** The real pages on a whole server in this process, for what needs no media workers. */
import { AxeBuilder } from '@axe-core/playwright';
import { type ConsultationId, ConsultationView } from '@teleconsult/protocol';
import type { AppParts } from '@teleconsult/server/app';
import type { Browser } from 'playwright-core';
import sharp from 'sharp';
import { startTestApp, type TestApp } from '../helpers/test-app.ts';
import { hostToken, namedToken } from '../helpers/test-tokens.ts';
import { DESK, launchBrowser, Person, PHONE } from './browser.ts';

/** What `npm test` builds before it begins. */
export const WEB_DIR = process.env['E2E_WEB_DIR'] ?? new URL('../../web/dist/', import.meta.url).pathname;

export interface Named {
  readonly personId: string;
  readonly displayName: string;
}

export const CHEN: Named = { personId: 'doctor-chen', displayName: '陈医生' };
export const LIN: Named = { personId: 'patient-lin', displayName: '林小雨' };
export const WANG: Named = { personId: 'patient-wang', displayName: '王建国' };

type PageName = 'patient' | 'doctor';
type Look = Parameters<typeof Person.open>[2];

export interface Stage extends AsyncDisposable {
  readonly app: TestApp;
  readonly browser: Browser;
  createVisit(patient: Named, doctor: Named): Promise<ConsultationView>;
  link(page: PageName, person: Named, consultationId?: ConsultationId | null): string;
  /** The person's page in a profile of its own: each time another device. */
  open(page: PageName, person: Named, look: Look & { consultationId?: ConsultationId }): Promise<Person>;
}

export async function setStage(parts: Partial<AppParts> & { dataDir?: string } = {}): Promise<Stage> {
  await using stack = new AsyncDisposableStack();
  const app = stack.use(await startTestApp({ webDir: WEB_DIR, ...parts }));
  const browser = stack.use(await launchBrowser());
  const link: Stage['link'] = (page, person, consultationId) =>
    linkTo(app.origin, { page, person, consultationId });
  const owned = stack.move();
  return {
    app,
    browser,
    link,
    createVisit: (patient, doctor) => createVisit(app.origin, patient, doctor),
    open: async (page, person, { consultationId, ...look }) =>
      owned.use(await Person.open(browser, link(page, person, consultationId), look)),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

export function linkTo(
  origin: string,
  {
    page,
    person,
    consultationId,
  }: { page: PageName; person: Named; consultationId?: ConsultationId | null | undefined },
): string {
  const token = namedToken(person.personId, person.displayName, page === 'doctor' ? 'doctor' : undefined);
  const fragment = new URLSearchParams({
    token,
    ...(consultationId == null ? {} : { consultation: consultationId }),
  });
  return `${origin}/${page}#${fragment}`;
}

/** A consultation of two people by their names, as a host application creates one. */
export async function createVisit(origin: string, patient: Named, doctor: Named): Promise<ConsultationView> {
  const response = await fetch(`${origin}/v1/consultations`, {
    method: 'POST',
    headers: { authorization: `Bearer ${hostToken()}`, 'content-type': 'application/json' },
    body: JSON.stringify({ patient, doctor }),
  });
  if (response.status !== 201) throw new Error(`creating answered ${response.status}`);
  return ConsultationView.parse(await response.json());
}

/** A begun visit between a patient on a phone and a doctor at a desk. */
export async function beginVisit(stage: Stage) {
  const { consultationId } = await stage.createVisit(LIN, CHEN);
  const patient = await stage.open('patient', LIN, { ...PHONE, consultationId });
  const doctor = await stage.open('doctor', CHEN, { ...DESK, consultationId });
  await doctor.byId('accept').click();
  await patient.page.locator('[data-testid="entry"][data-kind="consultation.accepted"]').waitFor();
  return { consultationId, patient, doctor };
}

/** A JPEG as a phone's camera makes it; `noise` makes it large. */
export async function photograph(
  options: { colour?: string; width?: number; noise?: boolean } = {},
): Promise<Buffer> {
  const { colour = '#b04050', width = 800, noise = false } = options;
  const height = Math.round(width * 0.75);
  const picture = sharp({ create: { width, height, channels: 3, background: colour } });
  if (!noise) return picture.jpeg().toBuffer();
  const grain = await sharp({
    create: {
      width,
      height,
      channels: 3,
      background: colour,
      noise: { type: 'gaussian', mean: 128, sigma: 60 },
    },
  })
    .jpeg({ quality: 95 })
    .toBuffer();
  return grain;
}

export const jpeg = async (name: string, options: Parameters<typeof photograph>[0] = {}) => ({
  name,
  mimeType: 'image/jpeg',
  buffer: await photograph(options),
});

export async function say(person: Person, text: string): Promise<void> {
  await person.byId('text-input').fill(text);
  await person.byId('send').click();
}

/** The entry of the thread that holds a text. */
export const entryWith = (person: Person, text: string) =>
  person.byId('entry').filter({ hasText: text }).first();

/** Opens what stands behind the button with the three dots. */
export async function choose(person: Person, action: string): Promise<void> {
  await person.byId('visit-menu').click();
  await person.byId(`menu-${action}`).click();
}

/** Findings a person with a disability would trip over. */
export async function seriousFindings({ page }: Person): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'])
    .analyze();
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`);
}

/** Pictures of every page when something failed, with what the pages complained about. */
export async function watched(
  people: Readonly<Record<string, Person>>,
  act: () => Promise<void>,
): Promise<void> {
  try {
    await act();
  } catch (error) {
    const complaints: string[] = [];
    for (const [name, person] of Object.entries(people)) {
      await person.screenshot(`failed-${name}`).catch(() => undefined);
      complaints.push(...person.errors.map((text) => `${name}: ${text}`));
    }
    throw Object.assign(error instanceof Error ? error : new Error(String(error)), { complaints });
  }
}
