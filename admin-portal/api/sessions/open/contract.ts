import { changePaths } from '../contract.ts';

export const paths = changePaths('open', 'openSession', 'Open a scheduled session now.');
