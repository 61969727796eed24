import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** One GPU as NVIDIA's own tool describes it. */
export interface NvidiaGpu {
  readonly name: string
  readonly driver: string
  readonly totalBytes: number
  readonly usedBytes: number
}

const QUERY = ['--query-gpu=name,driver_version,memory.total,memory.used', '--format=csv,noheader,nounits']
const MEBIBYTE = 2 ** 20

/** The NVIDIA GPUs of this machine, in CUDA's order; none when the tool is missing or fails. */
export async function nvidiaGpus(): Promise<NvidiaGpu[]> {
  try {
    const { stdout } = await promisify(execFile)('nvidia-smi', QUERY, { timeout: 10_000, windowsHide: true })
    return parseGpus(stdout)
  } catch {
    // No tool means no NVIDIA driver: there is nothing to tell, and the probe itself says what fails.
    return []
  }
}

/** Reads `name, driver, total MiB, used MiB` lines; a GPU that does not tell its memory (`[N/A]`, unified memory) is left out. */
export function parseGpus(csv: string): NvidiaGpu[] {
  return csv.split('\n').flatMap((line) => {
    const [name, driver, total, used] = line.split(',').map((field) => field.trim())
    const totalBytes = Number(total) * MEBIBYTE
    const usedBytes = Number(used) * MEBIBYTE
    if (!name || !driver || !Number.isFinite(totalBytes) || !Number.isFinite(usedBytes)) return []
    return [{ name, driver, totalBytes, usedBytes }]
  })
}
