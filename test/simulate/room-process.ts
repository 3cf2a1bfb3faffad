import type { Network } from './network.ts';
import { Process, type Timeline } from './timeline.ts';

/** A process of a room, whose own waits may be the last thing it does. */
export class RoomProcess extends Process {
  readonly #network: Network;
  readonly #point: string;

  constructor(timeline: Timeline, network: Network, room: string, name: string) {
    super(timeline, name);
    this.#network = network;
    this.#point = `${room}.wait`;
  }

  override after(ms: number, act: () => void): () => void {
    return super.after(ms, this.#network.wait(this, this.#point, act));
  }
}
