import type { RemoteTrack } from '@teleconsult/client-sdk/api';
import type { SeatViewMode } from '@teleconsult/protocol';
import { AppError } from '@teleconsult/protocol/errors';
import { MockCall } from '../../../web/dev/mock-call.ts';

/** A call without a network that remembers what was asked of it. */
export class RecordedCall extends MockCall {
  readonly asked: string[] = [];
  readonly viewModes: SeatViewMode[] = [];
  /** What the next request for a device fails with. */
  refusal: 'PERMISSION_DENIED' | 'DEVICE_UNAVAILABLE' | null = null;

  override async setView(mode?: SeatViewMode): Promise<void> {
    if (mode !== undefined) this.viewModes.push(mode);
  }

  override async setMicrophone(on: boolean): Promise<void> {
    this.asked.push(`microphone ${on}`);
    this.#refuse('microphone');
    await super.setMicrophone(on);
  }

  override async setCamera(on: boolean): Promise<void> {
    this.asked.push(`camera ${on}`);
    this.#refuse('camera');
    await super.setCamera(on);
  }

  override async continueSources(): Promise<void> {
    this.asked.push('continueSources');
    await super.continueSources();
  }

  override async accept(options: { camera?: boolean } = {}): Promise<void> {
    this.asked.push(`accept ${JSON.stringify(options)}`);
    await super.accept(options);
  }

  override async hangUp(): Promise<void> {
    this.asked.push('hangUp');
    await super.hangUp();
  }

  override async leave(): Promise<void> {
    this.asked.push('leave');
    await super.leave();
  }

  /** The tracks as if they had begun to arrive only now. */
  receive(tracks: readonly RemoteTrack[]): void {
    this.remoteTracks = tracks;
    this.setPath(this.path);
  }

  #refuse(source: string): void {
    const { refusal } = this;
    this.refusal = null;
    if (refusal !== null) throw new AppError(refusal, { detail: source });
  }
}
