/** How a chain from noise to picture is walked, as people choose it. */
export const SAMPLERS = [
  { value: 'dpmpp', label: 'DPM-Solver++', note: 'Good pictures in few steps' },
  { value: 'ddim', label: 'DDIM', note: 'What training uses' },
  { value: 'euler', label: 'Euler', note: 'As in many other tools' },
] as const
