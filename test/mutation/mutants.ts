/** One small change of a source text. */
export interface Mutant {
  readonly start: number;
  readonly end: number;
  readonly put: string;
}

const swaps: readonly (readonly [pattern: RegExp, put: (found: string) => string])[] = [
  [/ === /g, () => ' !== '],
  [/ !== /g, () => ' === '],
  [/ <= /g, () => ' < '],
  [/ < /g, () => ' <= '],
  [/ >= /g, () => ' > '],
  [/ > /g, () => ' >= '],
  [/ && /g, () => ' || '],
  [/ \|\| /g, () => ' && '],
  [/ \+ /g, () => ' - '],
  [/ - /g, () => ' + '],
  [/\+\+/g, () => '--'],
  [/ \+= /g, () => ' -= '],
  [/ -= /g, () => ' += '],
  [/\btrue\b/g, () => 'false'],
  [/\bfalse\b/g, () => 'true'],
  [/\bMath\.max\b/g, () => 'Math.min'],
  [/\bMath\.min\b/g, () => 'Math.max'],
  [/\bevery\(/g, () => 'some('],
  [/\bsome\(/g, () => 'every('],
  [/(?<![\w.$])\d[\d_]*(?![\w.])/g, (found) => (found === '0' ? '1' : `(${found} * 2)`)],
  // The condition of an `if` on one line.
  [/(?<=\bif \()[^\n]+?(?=\) (?:return|throw|continue|break|\{|this|await|\w+\())/g, () => 'true'],
  [/(?<=\bif \()[^\n]+?(?=\) (?:return|throw|continue|break|\{|this|await|\w+\())/g, () => 'false'],
  // A statement of its own, on one line.
  [/(?<=\n) +(?:await |void )?(?:this\.)?#?[\w.#]+\([^\n]*\);(?=\n)/g, () => ''],
  [/(?<=\n) +(?:this\.)?#?[\w.#]+ (?:=|\+=|-=|\?\?=) [^\n]*;(?=\n)/g, () => ''],
  [/(?<=\n) +(?:this\.)?#?[\w.#]+(?:\+\+|--);(?=\n)/g, () => ''],
];

/** Every mutant of a text: operators, conditions, constants, statements left out. */
export function mutantsOf(source: string): Mutant[] {
  const code = blank(source);
  return swaps.flatMap(([pattern, put]) =>
    [...code.matchAll(pattern)].map((match) => {
      const end = match.index + match[0].length;
      return { start: match.index, end, put: put(source.slice(match.index, end)) };
    }),
  );
}

export function apply(source: string, { start, end, put }: Mutant): string {
  return source.slice(0, start) + put + source.slice(end);
}

/** The text with comments, strings, imports and types made blank, place for place. */
function blank(source: string): string {
  const parts = [
    /\/\*[\s\S]*?\*\//g,
    /\/\/[^\n]*/g,
    /'(?:[^'\\\n]|\\.)*'/g,
    /`(?:[^`\\]|\\.)*`/g,
    /^import [\s\S]*?;$/gm,
    /^(?:export )?(?:interface|type) [\s\S]*?\n(?:\}|[^\n]*;)$/gm,
    // What is said and measured decides nothing.
    /^ +(?:this\.)?#?(?:\w+\.)*#?(?:log|metrics|observer)\.[^;]*;$/gm,
  ];
  let text = source;
  for (const part of parts) {
    text = text.replace(part, (found) => found.replace(/[^\n]/g, '_'));
  }
  return text;
}
