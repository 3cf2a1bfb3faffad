// npm run load: a crowd that votes through the edge, and what it measured.

import { runDemo } from './demo.ts';
import { parseOptions } from './options.ts';
import { reportTable } from './report.ts';
import { runLoad } from './run.ts';

async function main(): Promise<number> {
  try {
    const options = parseOptions(process.argv.slice(2));
    const out = options.json ? process.stderr : process.stdout;
    const say = (line: string): void => void out.write(`${line}\n`);
    if (options.demo) {
      const stop = new AbortController();
      for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stop.abort());
      await runDemo(options.rate, say, stop.signal);
      return 0;
    }
    const report = await runLoad(options, say);
    process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : reportTable(report));
    return Object.values(report.checks).every(({ ok }) => ok) ? 0 : 1;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}

process.exitCode = await main();
