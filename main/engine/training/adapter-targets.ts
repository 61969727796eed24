/** The layers of a UNet that an adapter may sit on, in groups that people choose from, by diffusers' module paths. */
const GROUPS = {
  'attention': /\.attn[12]\.(to_[qkv]|to_out\.0)$/,
  'self-attention': /\.attn1\.(to_[qkv]|to_out\.0)$/,
  'cross-attention': /\.attn2\.(to_[qkv]|to_out\.0)$/,
  'feed-forward': /\.ff\.net\.(0\.proj|2)$/,
  'projections': /\.(proj_in|proj_out)$/,
  'convolutions': /\.(conv|conv1|conv2|conv_shortcut)$/,
  'time': /\.time_emb_proj$/,
} as const

export type TargetGroup = keyof typeof GROUPS
export const TARGET_GROUPS = Object.keys(GROUPS) as [TargetGroup, ...TargetGroup[]]

/** Whether any of the groups has the layer at this module path. */
export function isTarget(groups: readonly TargetGroup[], path: string): boolean {
  return groups.some((group) => GROUPS[group].test(path))
}
