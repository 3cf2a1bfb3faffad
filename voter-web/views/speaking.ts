import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { type Speech, speech } from '../i18n.ts';

/** The language that the views below speak. */
export const Speaking = createContext<Speech>(speech('en', {}));

export const useSpeech = (): Speech => useContext(Speaking);
