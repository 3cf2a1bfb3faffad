import { changePaths } from '../contract.ts';

export const paths = changePaths(
  'close',
  'closeSession',
  'Close an open session, 10 seconds from now.',
);
