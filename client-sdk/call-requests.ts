import type { CallMedia, CallView, PersonId } from '@teleconsult/protocol';
import type { CallOptions } from './api.ts';
import type { SeatRef } from './media-session.ts';
import type { Signalling } from './requests.ts';

/** What an app asks of the server about a call, whether or not this device takes part in it. */
export abstract class CallRequests {
  protected abstract get seatRef(): SeatRef;
  protected abstract get signalling(): Signalling;
  abstract applyView(view: CallView): void;

  async decline({ signal }: CallOptions = {}): Promise<void> {
    const { call } = await this.signalling.request('call.decline', this.seatRef, { signal });
    this.applyView(call);
  }

  async invite(personId: string, { signal }: CallOptions = {}): Promise<void> {
    const payload = { ...this.seatRef, personId: personId as PersonId };
    const { call } = await this.signalling.request('call.invite', payload, { signal });
    this.applyView(call);
  }

  async mute(personId: string, { signal }: CallOptions = {}): Promise<void> {
    const payload = { ...this.seatRef, personId: personId as PersonId };
    const { call } = await this.signalling.request('seat.mute', payload, { signal });
    this.applyView(call);
  }

  async setMedia(media: CallMedia, { signal }: CallOptions = {}): Promise<void> {
    const payload = { ...this.seatRef, media };
    const { call } = await this.signalling.request('call.setMedia', payload, { signal });
    this.applyView(call);
  }
}
