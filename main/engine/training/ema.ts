/**
 * The exponential moving average of θ after one more update: a smoother adapter than its last state.
 *
 *   ema ← d · ema + (1 − d) · θ,   d = min(decay, (1 + n) / (10 + n))
 *
 * The rising decay keeps the start from outweighing short runs, as in TensorFlow's ExponentialMovingAverage(num_updates).
 * @param updates n, updates made before this one
 */
export function updateEma(ema: Float32Array, theta: Float32Array, decay: number, updates: number): Float32Array {
  const d = Math.min(decay, (1 + updates) / (10 + updates))
  return ema.map((value, i) => d * value + (1 - d) * theta[i]!)
}
