/**
 * Called by electron-builder once a package is made: reads back from Electron's program what was switched off in it, and fails the
 * build where something is on. See `electronFuses` in electron-builder.yml.
 */
import { FuseV1Options, getCurrentFuseWire } from '@electron/fuses'
import { FuseState } from '@electron/fuses/dist/constants.js'
import { join } from 'node:path'

/** Whether each should be on. */
export const FUSES = {
  RunAsNode: false,
  EnableNodeOptionsEnvironmentVariable: false,
  EnableNodeCliInspectArguments: false,
  EnableEmbeddedAsarIntegrityValidation: true,
  OnlyLoadAppFromAsar: true,
  GrantFileProtocolExtraPrivileges: false,
} as const satisfies Partial<Record<keyof typeof FuseV1Options, boolean>>

export const FUSE_NAMES = Object.keys(FUSES) as (keyof typeof FUSES)[]

/** The fuses that are not as they should be, one line each. @param wire as `getCurrentFuseWire` reads it */
export function fuseFaults(wire: Readonly<Record<number, unknown>>): string[] {
  return FUSE_NAMES.flatMap((name) => {
    const wanted = FUSES[name]
    const isAsWanted = wire[FuseV1Options[name]] === (wanted ? FuseState.ENABLE : FuseState.DISABLE)
    return isAsWanted ? [] : [`${name} should be ${wanted ? 'on' : 'off'}`]
  })
}

/** What electron-builder tells of a package. */
export interface PackedApp {
  readonly appOutDir: string
  readonly electronPlatformName: string
  readonly packager: { readonly executableName?: string; readonly appInfo: { readonly productFilename: string } }
}

/** Where a package has Electron's program. */
export function programOf({ appOutDir, electronPlatformName, packager }: PackedApp): string {
  const { productFilename } = packager.appInfo
  if (electronPlatformName === 'darwin') return join(appOutDir, `${productFilename}.app`)
  if (electronPlatformName === 'win32') return join(appOutDir, `${productFilename}.exe`)
  return join(appOutDir, packager.executableName ?? productFilename)
}

export default async function readBackFuses(app: PackedApp): Promise<void> {
  const faults = fuseFaults({ ...await getCurrentFuseWire(programOf(app)) })
  if (faults.length > 0) throw new Error(`The fuses of this package are not as they should be: ${faults.join(', ')}.`)
}
