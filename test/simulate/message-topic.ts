import type { Timeline } from './timeline.ts';

export interface TopicMessage {
  readonly key: string;
  readonly value: Buffer;
  readonly atMs: number;
}

/** A compacted topic, kept whole: who follows it is given everything, in order, a little later. */
export class MessageTopic {
  readonly messages: TopicMessage[] = [];
  readonly #timeline: Timeline;
  #followers: ((message: TopicMessage) => void)[] = [];

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
  }

  write(messages: readonly { key: string; value: Buffer }[]): void {
    for (const { key, value } of messages) {
      const message = { key, value, atMs: this.#timeline.nowMs };
      this.messages.push(message);
      for (const follow of this.#followers) follow(message);
    }
  }

  /** Calls for what is written from now on. What it gives ends that. */
  follow(take: (message: TopicMessage) => void): () => void {
    this.#followers.push(take);
    return () => {
      this.#followers = this.#followers.filter((follower) => follower !== take);
    };
  }
}
