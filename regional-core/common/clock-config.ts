import { clockErrorMsMax } from './clock-bound.ts';
import { type ConfigKey, integerKey } from './config.ts';

const peersMax = 8;

const file: ConfigKey<string | undefined> = {
  env: 'VOTE_CLOCKBOUND_FILE',
  doc: 'The file of the ClockBound daemon, as /var/run/clockbound/shm0; empty: the declared bound.',
  parse: (text) => (text === '' ? undefined : text),
  fallback: '',
};

const peers: ConfigKey<readonly string[]> = {
  env: 'VOTE_CLOCK_PEERS',
  doc: `Addresses (http://host:port/healthz,…) of up to ${peersMax} processes whose clocks are compared.`,
  parse: (text) => {
    const urls = text.split(',').filter((url) => url !== '');
    if (urls.length > peersMax) throw new Error(`must name ${peersMax} addresses at most`);
    if (urls.some((url) => !URL.canParse(url) || new URL(url).protocol !== 'http:')) {
      throw new Error('must be http:// addresses, several separated by commas');
    }
    return urls;
  },
  fallback: '',
};

/** For those whose clock decides: intake admits by it, the ledger seals by it. */
export const clockKeys = {
  clockErrorMs: integerKey(
    'VOTE_CLOCK_ERROR_MS',
    'Declared bound of the error of this machine’s clock, in milliseconds.',
    { min: 0, max: clockErrorMsMax },
  ),
  clockBoundFile: file,
  clockPeers: peers,
};
