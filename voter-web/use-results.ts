import { useEffect, useState } from 'preact/hooks';
import { type Answer, ask } from './api.ts';
import { after, openStream, tabLink } from './browser.ts';
import { followResults, type LiveResults } from './live-results.ts';
import { shareSource } from './share.ts';

/**
 * Where the results of a session are asked for. A receipt opens results that are shown after
 * voting: in a header for the snapshot, in the address for the stream, which takes no headers.
 */
export function resultsSource(
  base: string,
  sessionId: string,
  proof: string | null,
): { askSnapshot: () => Promise<Answer>; streamUrl: string } {
  const url = `${base}/api/v1/results/${encodeURIComponent(sessionId)}`;
  return proof === null
    ? { askSnapshot: () => ask(url), streamUrl: `${url}/stream?format=tick` }
    : {
        askSnapshot: () => ask(`${url}/voted`, { headers: { 'vote-proof': proof } }),
        streamUrl: `${url}/stream?format=tick&proof=${encodeURIComponent(proof)}`,
      };
}

/** The live totals of a session, one stream for all tabs; null until something is known. */
export function useResults(
  base: string,
  sessionId: string,
  proof: string | null,
): LiveResults | null {
  const [live, setLive] = useState<LiveResults | null>(null);
  useEffect(() => {
    const { askSnapshot, streamUrl } = resultsSource(base, sessionId, proof);
    const name = `results:${sessionId}${proof === null ? '' : ':voted'}`;
    return shareSource<LiveResults>(
      name,
      tabLink(),
      (tell) =>
        followResults(
          {
            askSnapshot,
            openStream: (handlers) => openStream(streamUrl, handlers),
            after,
            now: Date.now,
            random: Math.random,
          },
          tell,
        ),
      setLive,
    );
  }, [base, sessionId, proof]);
  return live;
}
