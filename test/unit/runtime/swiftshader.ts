import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** SwiftShader, the software Vulkan driver in Debian's chromium package, lets WebGPU run where there is no GPU. */
const MANIFEST = '/usr/lib/chromium/vk_swiftshader_icd.json'

export const hasSwiftShader = existsSync(MANIFEST)

/** What a process needs in its environment to find SwiftShader, and the Vulkan loader that is packed with it. */
export const swiftShaderEnvironment: Readonly<Record<string, string>> = hasSwiftShader
  ? { VK_ICD_FILENAMES: MANIFEST, ...(existsSync(join(dirname(MANIFEST), 'libvulkan.so.1')) ? { LD_LIBRARY_PATH: dirname(MANIFEST) } : {}) }
  : {}
