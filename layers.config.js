/**
 * Which part of the system may import which: the layer rule of ARCHITECTURE.md as data, enforced by ESLint.
 * A file belongs to the first layer whose pattern fits; an import that no line below allows is refused.
 */

/** @type {readonly { layer: string, pattern: string | string[] }[]} */
const LAYERS = [
  { layer: 'errors', pattern: ['main/engine/errors.ts', 'main/engine/disk-fault.ts'] },
  { layer: 'untrusted-files', pattern: 'main/engine/pictures/untrusted-picture.ts' },
  { layer: 'engine-protocol', pattern: ['main/engine/protocol.ts', 'main/engine/protocol/**'] },
  { layer: 'engine-client', pattern: 'main/engine/process/{engine-client,launcher,fork-launcher,probe-devices}.ts' },
  { layer: 'engine-base', pattern: ['main/engine/graph/**', 'main/engine/tensor/**', 'main/engine/assert.ts'] },
  { layer: 'engine', pattern: 'main/engine/**' },
  { layer: 'native-models', pattern: 'native-models/**' },
  { layer: 'store', pattern: 'main/store/**' },
  { layer: 'services', pattern: 'main/services/**' },
  { layer: 'contract', pattern: ['main/ipc/contract.ts', 'main/ipc/contract/**', 'main/ipc/bridge.ts'] },
  { layer: 'ipc', pattern: 'main/ipc/**' },
  { layer: 'host', pattern: ['main/host/**', 'main/index.ts'] },
  { layer: 'cli', pattern: 'main/cli/**' },
  { layer: 'preload', pattern: 'preload/**' },
  { layer: 'renderer', pattern: 'renderer/**' },
  { layer: 'test', pattern: 'test/**' },
  { layer: 'settings', pattern: ['*.config.{js,ts}', 'package.json', 'packaging/**'] },
]

const ENGINE = ['engine', 'engine-base', 'engine-protocol', 'native-models', 'untrusted-files', 'errors']

/** Layer → the layers it may import from, itself included where its files import one another. */
const MAY_IMPORT = {
  'errors': [],
  'untrusted-files': ['errors'],
  'engine-base': ['engine-base', 'errors'],
  'engine-protocol': ['engine-protocol', 'engine-base', 'errors'],
  'engine-client': ['engine-client', 'engine-protocol', 'errors'],
  'native-models': ['native-models', 'engine-base', 'errors'],
  'engine': [...ENGINE, 'engine-client'],
  'store': ['store', 'engine-protocol', 'errors'],
  'services': ['services', 'store', 'engine-protocol', 'engine-client', 'untrusted-files', 'errors', 'settings'],
  'contract': ['contract', 'engine-protocol'],
  'ipc': ['ipc', 'contract', 'services', 'errors'],
  'host': ['host', 'ipc', 'contract', 'services', 'engine-client', 'errors'],
  'cli': ['cli', 'host', 'services', 'engine-client', ...ENGINE, 'settings'],
  'preload': ['contract'],
  'renderer': ['renderer', 'contract'],
  'test': LAYERS.map(({ layer }) => layer),
  'settings': ['settings'],
}

/** Types carry no code across, so these may be imported as types where the values may not. */
const MAY_IMPORT_TYPES = {
  'contract': ['errors'],
  'engine-protocol': ['engine'],
}

/** Packages that only some layers may use; every other package is free. */
const PACKAGES = [
  { source: ['electron', 'electron/*'], only: ['host', 'preload', 'test'] },
  { source: ['better-sqlite3'], only: ['store', 'test'] },
  { source: ['onnxruntime-node', 'onnxruntime-common'], only: ['engine', 'test'] },
  { source: ['svelte', 'svelte/**'], only: ['renderer', 'settings', 'test'] },
]

/** Layers that run in the browser's sandbox, where Node's own modules do not exist. */
const SANDBOXED = ['renderer', 'preload', 'contract']

const layersOf = (names) => ({ file: { categories: { anyOf: names } } })

export const layerSettings = {
  'boundaries/files': LAYERS.map(({ layer, pattern }) => ({ category: layer, pattern })),
  'boundaries/files-single-match': true,
  'boundaries/dependency-nodes': ['import', 'dynamic-import', 'export', 'require'],
}

export const layerRules = {
  'boundaries/no-unknown-files': 'error',
  'boundaries/dependencies': ['error', {
    default: 'disallow',
    checkAllOrigins: true,
    checkUnknownLocals: true,
    checkInternals: true,
    message: 'The {{from.file.categories}} layer may not import this: see layers.config.js and ARCHITECTURE.md.',
    // The last policy that matches decides.
    policies: [
      { allow: { to: { module: { origin: ['core', 'external'] } } } },
      ...Object.entries(MAY_IMPORT).map(([layer, allowed]) => ({ from: layersOf([layer]), allow: { to: layersOf(allowed) } })),
      ...Object.entries(MAY_IMPORT_TYPES).map(([layer, allowed]) => ({
        from: layersOf([layer]), allow: { to: layersOf(allowed), dependency: { kind: 'type' } },
      })),
      ...PACKAGES.map(({ source, only }) => ({
        from: { file: { categories: { noneOf: only } } }, disallow: { to: { module: { origin: 'external', source } } },
      })),
      { from: layersOf(SANDBOXED), disallow: { to: { module: { origin: 'core' } } } },
    ],
  }],
}
