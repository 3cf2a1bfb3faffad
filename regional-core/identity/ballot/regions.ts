import type { ConfigKey } from '#common/config.ts';

/** A region that accepts votes; `url` is a prefix, without a trailing slash. */
export interface VotingRegion {
  readonly name: string;
  readonly url: string;
}

/** `name=url,name=url`: at least one, each name once. */
export function regionsKey(env: `VOTE_${string}`, doc: string): ConfigKey<readonly VotingRegion[]> {
  const parse = (text: string): readonly VotingRegion[] => {
    const regions = text.split(',').map(parseRegion);
    if (new Set(regions.map(({ name }) => name)).size < regions.length) {
      throw new Error('names a region twice');
    }
    return regions;
  };
  return { env, doc, parse };
}

function parseRegion(text: string): VotingRegion {
  const [, name, url] = /^\s*([\w-]+)=(https?:\/\/\S+?)\/?\s*$/.exec(text) ?? [];
  if (name === undefined || url === undefined || !URL.canParse(url)) {
    throw new Error('must be name=url, several separated by commas');
  }
  return { name, url };
}

/** The same regions, this one first: a page tries them in this order. */
export function ownFirst(regions: readonly VotingRegion[], own: string): readonly VotingRegion[] {
  return regions.toSorted((a, b) => Number(b.name === own) - Number(a.name === own));
}
