import { mkdir, realpath, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { gradientModel } from '../../../main/engine/autodiff/gradient-model.ts'
import { openOnnx } from '../../../main/engine/graph/onnx/open-onnx.ts'
import { saveOnnx } from '../../../main/engine/graph/onnx/save-onnx.ts'
import { toBytes } from '../../../main/engine/tensor/tensor.ts'
import { spread } from '../autodiff/jacobian.ts'
import { expectRefusal, temporaryFolder } from '../weights/crafted.ts'
import { buildModel, declared, node, stored } from './build-model.ts'
import { relativeError, runFile } from './run-model.ts'

const weight = spread([20, 15])
const x = spread([2, 20], -1, 1, 2)
const upstream = spread([2, 15], -1, 1, 3)

interface Place {
  readonly location?: string
  readonly offset?: string
  readonly length?: string
}

/** y = x W with W stored at the given place. */
function modelWith(place: Place, tensor = weight): Uint8Array {
  const { rawData, ...described } = stored('W', tensor)
  return buildModel({
    node: [node('MatMul', ['x', 'W'], ['y'])],
    initializer: [{ ...described, dataLocation: 1, externalData: Object.entries(place).map(([key, value]) => ({ key, value })) }],
    input: [declared('x', 'float32', [2, tensor.shape[0]!])],
    output: [declared('y', 'float32')],
  })
}

/** A folder with the model, its weights at byte 12 of weights.bin, and a secret beside the folder. */
async function folderWith(place: Place): Promise<{ folder: string; file: string }> {
  const outer = await temporaryFolder()
  const folder = join(outer, 'model')
  await mkdir(join(folder, 'parts'), { recursive: true })
  const bytes = new Uint8Array(12 + weight.data.byteLength)
  bytes.set(toBytes(weight), 12)
  await writeFile(join(folder, 'weights.bin'), bytes)
  await writeFile(join(folder, 'parts', 'weights.bin'), bytes)
  await writeFile(join(outer, 'secret.bin'), bytes)
  await symlink(join(outer, 'secret.bin'), join(folder, 'link.bin'))
  await symlink(outer, join(folder, 'folder-link'))
  await symlink(join(folder, 'weights.bin'), join(folder, 'inner-link.bin'))
  const file = join(folder, 'model.onnx')
  await writeFile(file, modelWith(place))
  return { folder, file }
}

const length = String(weight.data.byteLength)

describe('a tensor beside the model', () => {
  it.each([['weights.bin'], ['parts/weights.bin'], ['inner-link.bin'], ['./weights.bin']])('stays where it lies: %s', async (location) => {
    const { file, folder } = await folderWith({ location, offset: '12', length })
    const { source } = (await openOnnx(file)).parameters.get('W')!
    const target = location.startsWith('parts') ? 'parts/weights.bin' : 'weights.bin'
    expect(source).toEqual({ kind: 'weight', location: { file: join(await realpath(folder), target), byteOffset: 12, byteLength: 1200 } })
  })

  it('is differentiated by and with, in a model that loads from where it lies', async () => {
    const { file, folder } = await folderWith({ location: 'parts/weights.bin', offset: '12', length })
    const graph = gradientModel(await openOnnx(file), { output: 'y', wrt: ['x', 'W'] })
    const out = join(folder, 'gradient.onnx')
    await saveOnnx(out, graph)
    const results = await runFile(out, { x, 'upstream.y': upstream })
    const embedded = buildModel({
      node: [
        node('MatMul', ['x', 'W'], ['y']),
        node('Transpose', ['W'], ['t']),
        node('MatMul', ['u', 't'], ['dx']),
        node('Transpose', ['x'], ['s']),
        node('MatMul', ['s', 'u'], ['dW']),
      ].map((one, i) => ({ ...one, name: `node${i}` })),
      initializer: [stored('W', weight)],
      input: [declared('x', 'float32', x.shape), declared('u', 'float32', upstream.shape)],
      output: ['y', 'dx', 'dW'].map((name) => declared(name, 'float32')),
    })
    const expected = await runFile(embedded, { x, u: upstream })
    expect(relativeError(results.y, expected.y)).toBeLessThan(1e-6)
    expect(relativeError(results['gradient.x'], expected.dx)).toBeLessThan(1e-6)
    expect(relativeError(results['gradient.W'], expected.dW)).toBeLessThan(1e-6)
  })

  it('keeps its model from being written elsewhere', async () => {
    const { file } = await folderWith({ location: 'weights.bin', offset: '12', length })
    const elsewhere = join(await temporaryFolder(), 'out.onnx')
    await expectRefusal(
      openOnnx(file).then((graph) => saveOnnx(elsewhere, graph)),
      'usage',
      'weights.bin',
    )
  })

  it('is read when it is small, since it may be a shape', async () => {
    const { file, folder } = await folderWith({})
    const small = spread([20, 2])
    await writeFile(join(folder, 'weights.bin'), toBytes(small))
    await writeFile(file, modelWith({ location: 'weights.bin' }, small))
    expect((await openOnnx(file)).parameters.get('W')?.source).toMatchObject({ kind: 'constant', tensor: { data: small.data } })
  })
})

describe('a tensor elsewhere is refused', () => {
  it.each<[string, Place, string]>([
    ['at an absolute path', { location: '/etc/passwd' }, 'absolute'],
    ['at an absolute path of Windows', { location: 'C:\\secret.bin' }, 'absolute'],
    ['on another computer', { location: '\\\\host\\share\\secret.bin' }, 'absolute'],
    ['above the folder', { location: '../secret.bin', offset: '12', length }, 'outside'],
    ['above the folder by a detour', { location: 'parts/../../secret.bin', offset: '12', length }, 'outside'],
    ['above the folder, spelled for Windows', { location: 'parts\\..\\..\\secret.bin', offset: '12', length }, 'outside'],
    ['behind a link to a file', { location: 'link.bin', offset: '12', length }, 'link'],
    ['behind a link to a folder', { location: 'folder-link/secret.bin', offset: '12', length }, 'link'],
    ['in a file that is not there', { location: 'ghost.bin' }, 'not there'],
    ['in a folder', { location: 'parts' }, 'no file'],
    ['in the folder of the model itself', { location: '.' }, 'folder'],
    ['nowhere', {}, 'where'],
    ['past the end of its file', { location: 'weights.bin', offset: '13', length }, 'ends before'],
    ['at an offset beyond numbers', { location: 'weights.bin', offset: '99999999999999999999', length }, 'ends before'],
    ['at a negative offset', { location: 'weights.bin', offset: '-4', length }, 'ends before'],
    ['at a length of its own', { location: 'weights.bin', offset: '12', length: '8' }, 'bytes'],
  ])('%s', async (_, place, cause) => {
    const { file } = await folderWith(place)
    await expectRefusal(openOnnx(file), 'onnx.malformed', 'model.onnx', 'tensor W', cause)
  })
})

describe('a path that is no model is refused', () => {
  it('when there is nothing, or a folder', async () => {
    const folder = await temporaryFolder()
    await expectRefusal(openOnnx(join(folder, 'ghost.onnx')), 'file.missing', 'ghost.onnx')
    await expectRefusal(openOnnx(folder), 'file.unreadable', folder)
  })

  it('when it cannot be written to', async () => {
    const { file, folder } = await folderWith({ location: 'weights.bin', offset: '12', length })
    const graph = await openOnnx(file)
    await expectRefusal(saveOnnx(join(folder, 'ghost', 'out.onnx'), graph), 'file.unwritable', 'out.onnx')
  })
})
