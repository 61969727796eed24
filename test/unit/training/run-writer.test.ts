import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdir, stat, writeFile } from 'node:fs/promises'
import os from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { nodeFileSystem, type FileSystem } from '../../../main/engine/training/file-system.ts'
import { processStart } from '../../../main/engine/training/process-start.ts'
import { claimRun, refuseOtherWriter } from '../../../main/engine/training/run-writer.ts'
import { failingFiles } from '../../faults/faulty-files.ts'
import { temporaryFolder } from './toy-run.ts'

const HERE = encodeURIComponent(os.hostname())
/** Longer than any test. */
const SLEEP = 'setTimeout(() => {}, 60_000)'

let folder: string

beforeEach(async () => {
  folder = await temporaryFolder()
})

async function otherProcess(program = process.execPath, args = ['-e', SLEEP]): Promise<ChildProcess & { readonly pid: number }> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child, 'spawn')
  return child as ChildProcess & { readonly pid: number }
}

/** What a process would leave that writes there. */
async function claimOf(pid: number, start: string | undefined, host = HERE): Promise<string> {
  const name = `.writer-${pid}-${start ?? 'unknown'}-${host}`
  await writeFile(join(folder, name), '')
  return name
}

describe('a folder that another process writes to', () => {
  it('is refused in a sentence that names folder and process, and left as it was', async () => {
    const { pid } = await otherProcess()
    const claim = await claimOf(pid, await processStart(pid))
    const before = (await stat(folder)).mtimeMs
    for (const begin of [refuseOtherWriter, claimRun]) {
      await expect(begin(folder, nodeFileSystem)).rejects.toMatchObject({
        code: 'run.in-use',
        message: `${folder} is being trained by process ${pid}.`,
        nextStep: expect.stringContaining('Pause it') as string,
      })
    }
    expect(await readdir(folder)).toEqual([claim])
    expect((await stat(folder)).mtimeMs).toBe(before)
  })

  it('is free once that process was killed', async () => {
    const child = await otherProcess()
    await claimOf(child.pid, await processStart(child.pid))
    child.kill('SIGKILL')
    await once(child, 'exit')
    const release = await claimRun(folder, nodeFileSystem)
    expect(await readdir(folder)).toEqual([expect.stringContaining(`.writer-${process.pid}-`)])
    await release()
    expect(await readdir(folder)).toEqual([])
  })

  it('is free when its number now belongs to another process', async () => {
    const { pid } = await otherProcess()
    await claimOf(pid, '1')
    await (await claimRun(folder, nodeFileSystem))()
    expect(await readdir(folder)).toEqual([])
  })

  it.runIf(process.platform === 'linux')('is free when it has ended and nobody has collected it', async () => {
    const child = await otherProcess('sh', ['-c', 'sleep 0.2 & echo $!; exec sleep 60'])
    const [line] = (await once(child.stdout!, 'data')) as [Buffer]
    const pid = Number(line.toString())
    await claimOf(pid, await processStart(pid))
    await expect(claimRun(folder, nodeFileSystem)).rejects.toMatchObject({ code: 'run.in-use' })
    await expect.poll(() => processStart(pid)).toBe('ended')
    await (await claimRun(folder, nodeFileSystem))()
  })

  it('is refused where the system does not tell when processes began', async () => {
    const { pid } = await otherProcess()
    await claimOf(pid, undefined)
    await expect(claimRun(folder, nodeFileSystem)).rejects.toMatchObject({ code: 'run.in-use' })
  })

  it('is refused when that process is on another computer, with the way to go on if it is not', async () => {
    const claim = await claimOf(1234, '5678', 'studio%20mac')
    await expect(claimRun(folder, nodeFileSystem)).rejects.toMatchObject({
      message: `${folder} is being trained by process 1234 on the computer studio%20mac.`,
      nextStep: expect.stringContaining(join(folder, claim)) as string,
    })
  })

  it('is given up again when both began at the same moment', async () => {
    const { pid } = await otherProcess()
    const start = await processStart(pid)
    let claim = ''
    const files: FileSystem = {
      ...nodeFileSystem,
      open: async (path, flags) => {
        claim = await claimOf(pid, start)
        return nodeFileSystem.open(path, flags)
      },
    }
    await expect(claimRun(folder, files)).rejects.toMatchObject({ code: 'run.in-use' })
    expect(await readdir(folder)).toEqual([claim])
  })
})

describe('a claim', () => {
  it('that this process could not remove does not keep it out', async () => {
    await claimRun(folder, { ...nodeFileSystem, remove: () => Promise.reject(new Error('busy')) })
    await (await claimRun(folder, nodeFileSystem))()
    expect(await readdir(folder)).toEqual([])
  })

  it.each(['EACCES', 'ENOSPC'])('that the disk refuses with %s is said to be unwritable', async (code) => {
    const { files } = failingFiles(2, code)
    await expect(claimRun(folder, files)).rejects.toMatchObject({ code: 'file.unwritable' })
  })
})
