import { defineConfig } from 'vite';
import { prerender } from './prerender.ts';

export default defineConfig({
  root: import.meta.dirname,
  base: '/',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: ['chrome100', 'firefox100', 'safari15'],
    // One script: nothing to preload, and the polyfill would be bytes for nothing.
    modulePreload: false,
    assetsInlineLimit: 0,
  },
  plugins: [prerender()],
});
