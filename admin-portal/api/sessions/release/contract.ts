import { changePaths } from '../contract.ts';

export const paths = changePaths(
  'release',
  'releaseResults',
  'Show the results of a closed session whose policy is on_release.',
);
