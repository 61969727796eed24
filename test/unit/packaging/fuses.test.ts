import { FuseV1Options, FuseVersion } from '@electron/fuses'
import { FuseState } from '@electron/fuses/dist/constants.js'
import { expect, it } from 'vitest'
import { FUSE_NAMES, fuseFaults, FUSES, programOf } from '../../../packaging/fuses.ts'

const wire = (change: Partial<Record<keyof typeof FUSES, boolean>> = {}): Record<number, unknown> => Object.fromEntries(
  FUSE_NAMES.map((name) => [FuseV1Options[name], (change[name] ?? FUSES[name]) ? FuseState.ENABLE : FuseState.DISABLE]),
)

it('a package whose fuses are as they should be passes', () => {
  expect(FuseVersion.V1).toBe('1')
  expect(fuseFaults(wire())).toEqual([])
})

it('one fuse that is not, or is missing from the program, is named', () => {
  expect(fuseFaults(wire({ RunAsNode: true }))).toEqual(['RunAsNode should be off'])
  expect(fuseFaults(wire({ OnlyLoadAppFromAsar: false }))).toEqual(['OnlyLoadAppFromAsar should be on'])
  expect(fuseFaults({})).toHaveLength(FUSE_NAMES.length)
})

it('the program lies where each system has it', () => {
  const at = (electronPlatformName: string) => programOf({
    appOutDir: 'dist', electronPlatformName, packager: { executableName: 'halfstep', appInfo: { productFilename: 'Halfstep' } },
  }).replaceAll('\\', '/')
  expect([at('linux'), at('win32'), at('darwin')]).toEqual(['dist/halfstep', 'dist/Halfstep.exe', 'dist/Halfstep.app'])
})
