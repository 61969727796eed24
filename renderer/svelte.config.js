/** Read by svelte-check and the editor; the build has the same settings from electron.vite.config.ts. */
export default { compilerOptions: { runes: true } }
