// libfaketime, for tests of clocks that are wrong: on the PATH, else Debian's package.

import { aptInstall, onPath, SetupError } from './shared.mjs';

const byHand =
  'install faketime (for example `apt-get install faketime` as root), then start again.';

/** Throws a SetupError when there is none to be had. */
export function installFaketime() {
  if (!onPath('faketime')) aptInstall('faketime', 'faketime (for the tests)', byHand);
  if (!onPath('faketime')) throw new SetupError(`faketime is missing: ${byHand}`);
}
