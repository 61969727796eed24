import type { FloatTensor } from '../tensor/tensor.ts'
import type { CheckContext } from './check-context.ts'
import { SINGLE_TOLERANCE, compareOutput, type CheckLine } from './report.ts'
import { addedConditions } from './unet-evaluator.ts'

/** unet.*: the bare UNet and its gradient. */
export function checkUnet(context: CheckContext): Promise<CheckLine[]> {
  return checkEvaluation(context, 'unet', 0)
}

/** unet_lora.*: the same inputs with the adapter on, and the gradient of the adapter's matrices. */
export function checkUnetLora(context: CheckContext): Promise<CheckLine[]> {
  return checkEvaluation(context, 'unet_lora', 1)
}

async function checkEvaluation(context: CheckContext, group: 'unet' | 'unet_lora', strength: number): Promise<CheckLine[]> {
  const { cases, settings } = context
  const sample = await cases.floats('unet.sample')
  const conditions = { context: await cases.floats('unet.encoder_hidden_states'), added: await addedConditions(context) }
  const timestep = await cases.numbers('unet.timestep')
  const evaluator = await context.evaluators.get(context, sample.shape, conditions.context.shape[1] ?? 1)
  const lines: CheckLine[] = []
  const check = async (output: string, ours: FloatTensor): Promise<void> => {
    const name = `${group}.${output}`
    if (!cases.has(name) || !context.wants(name)) return
    lines.push(compareOutput(name, ours, await cases.floats(name), SINGLE_TOLERANCE[settings.compute]))
  }
  await check('output', await evaluator.predict(sample, timestep, conditions, strength))
  const gradients = cases.names(`${group}.grad`).filter((name) => name !== 'unet.grad_output' && context.wants(name))
  if (gradients.length === 0) return lines
  const { gradient } = await evaluator.vjp(sample, timestep, conditions, strength, await cases.floats('unet.grad_output'))
  await check('grad_sample', gradient('sample'))
  await check('grad_encoder_hidden_states', gradient('encoder_hidden_states'))
  for (const name of evaluator.adapterNames) await check(`grad.${name}`, gradient(name))
  return lines
}
