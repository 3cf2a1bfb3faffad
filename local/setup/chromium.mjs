// A browser for the end-to-end tests: CHROMIUM_PATH, then the PATH, then Debian's package.

import { aptInstall, isExecutable, onPath, SetupError, tools } from './shared.mjs';

const byHand =
  'install Chromium (for example `apt-get install chromium` as root) or set CHROMIUM_PATH to it, ' +
  'then start again.';

/** Leaves its path in `tools.found.chromium`. Throws a SetupError when there is none to be had. */
export function installChromium() {
  const given = process.env.CHROMIUM_PATH;
  if (given && !isExecutable(given)) {
    throw new SetupError(`CHROMIUM_PATH is ${given}, which cannot be run: ${byHand}`);
  }
  if (!given && !find()) aptInstall('chromium', 'Chromium (for the tests)', byHand);
  tools.found.chromium = given ?? find();
  if (!tools.found.chromium) throw new SetupError(`Chromium is missing: ${byHand}`);
}

function find() {
  return onPath('chromium') ?? onPath('chromium-browser') ?? onPath('google-chrome');
}
