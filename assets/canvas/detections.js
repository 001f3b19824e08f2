// The score threshold over candidates that stand best first.
//
// Top-k, NMS and the cap each look only at better candidates, so the selection at any
// score above the floor is a prefix of the selection at the floor: its fates stay.

const FATES = ["kept", "beyond_top_k", "suppressed", "beyond_cap", "below"];
const BELOW = 4;
const OUTCOMES = ["", "true_positive", "false_positive", "dropped"];
const OUTCOME = Object.fromEntries(OUTCOMES.map((name, i) => [name, i]));

// How many scores are above the threshold: float32 scores against a double.
function countAbove(scores, threshold) {
  let low = 0, high = scores.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (scores[middle] > threshold) low = middle + 1;
    else high = middle;
  }
  return low;
}

function countFates(candidates, above, outcomes, fates = candidates.fate) {
  const counts = { kept: 0, beyond_top_k: 0, suppressed: 0, beyond_cap: 0, true_positive: 0, false_positive: 0 };
  counts.below = candidates.count - above + candidates.numBelow;
  counts.above = above;
  for (let i = 0; i < above; i += 1) {
    const fate = fates[i];
    counts[FATES[fate]] += 1;
    if (fate === 0 && outcomes) counts[OUTCOMES[outcomes[i]]] += 1;
  }
  return counts;
}

// Precision, recall and F1 from counts; null where nothing was counted.
function rates(truePositives, falsePositives, objects) {
  const precision = truePositives + falsePositives ? truePositives / (truePositives + falsePositives) : null;
  const recall = objects ? truePositives / objects : null;
  const sum = 2 * truePositives + falsePositives + (objects - truePositives);
  return { precision, recall, f1: objects && sum ? (2 * truePositives) / sum : null };
}
