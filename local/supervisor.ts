import type { ProcessNode, StackNode } from './graph.ts';
import { type Hooks, Keeper } from './keeper.ts';
import type { Terminal } from './terminal.ts';

/**
 * Starts the graph in the order of its dependencies, as much at a time as they allow, and ends it.
 */
export class Supervisor {
  readonly #nodes: readonly StackNode[];
  readonly #keepers: ReadonlyMap<string, Keeper>;
  readonly #terminal: Terminal;
  readonly #stopping = new AbortController();

  constructor(nodes: readonly StackNode[], hooks: Hooks) {
    checkGraph(nodes);
    this.#nodes = nodes;
    this.#terminal = hooks.terminal;
    this.#keepers = new Map(
      nodes.flatMap((node) =>
        node.kind === 'process' ? [[node.id, new Keeper(node, hooks)] as const] : [],
      ),
    );
  }

  /** Every process with the pid it has now. */
  get processes(): { node: ProcessNode; pid: number | undefined }[] {
    return [...this.#keepers.values()].map(({ node, pid }) => ({ node, pid }));
  }

  /**
   * Resolves when everything is ready. Throws the first failure; the caller then stops the rest.
   */
  async start(): Promise<void> {
    const starts = new Map<string, Promise<void>>();
    const startedAt = performance.now();
    const startOnce = (node: StackNode): Promise<void> => {
      const begun = starts.get(node.id);
      if (begun !== undefined) return begun;
      const wanted = this.#nodes.filter(({ id }) => node.dependsOn.includes(id));
      const start = Promise.all(wanted.map(startOnce)).then(() => this.#startOne(node, startedAt));
      starts.set(node.id, start);
      return start;
    };
    await Promise.all(this.#nodes.map(startOnce));
  }

  /** Drains everything, users before what they use; resolves when nothing is left. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    const stops = new Map<string, Promise<void>>();
    const stopOnce = (node: StackNode): Promise<void> => {
      const begun = stops.get(node.id);
      if (begun !== undefined) return begun;
      const users = this.#nodes.filter((other) => needs(other).includes(node.id));
      const stop = Promise.all(users.map(stopOnce)).then(() => this.#keepers.get(node.id)?.stop());
      stops.set(node.id, stop);
      return stop;
    };
    await Promise.all(this.#nodes.map(stopOnce));
  }

  /** Ends every process at once. */
  kill(): void {
    for (const keeper of this.#keepers.values()) keeper.kill();
  }

  async #startOne(node: StackNode, startedAt: number): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    try {
      await (node.kind === 'task'
        ? node.run(this.#stopping.signal)
        : this.#keepers.get(node.id)?.start());
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(node.kind === 'task' ? `${node.id}: ${reason}` : reason, { cause: error });
    }
    if (this.#stopping.signal.aborted) return;
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    this.#terminal.line(
      node.id,
      node.kind === 'task' ? `done (${seconds} s)` : `ready (${seconds} s)`,
    );
  }
}

function needs(node: StackNode): readonly string[] {
  return node.kind === 'process' ? [...node.dependsOn, ...node.uses] : node.dependsOn;
}

/** A name that is not there or a circle would wait for ever. */
function checkGraph(nodes: readonly StackNode[]): void {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  if (byId.size !== nodes.length) throw new Error('Two nodes of the stack have the same name.');
  const visit = (node: StackNode, path: readonly string[]): void => {
    if (path.includes(node.id)) throw new Error(`A circle: ${[...path, node.id].join(' -> ')}.`);
    for (const id of needs(node)) {
      const next = byId.get(id);
      if (next === undefined) throw new Error(`${node.id} needs ${id}, which is not there.`);
      visit(next, [...path, node.id]);
    }
  };
  for (const node of nodes) visit(node, []);
}
