// Follows a run: the bar moves while it runs, and the page is drawn anew when it ends.
const POLL_MS = 1500;
const place = document.querySelector("[data-run]");
const bar = place.querySelector("progress");
const words = place.querySelector("[data-template]");

async function follow() {
  const answer = await fetch(`/api/v1/scans/${encodeURIComponent(place.dataset.run)}`);
  if (!answer.ok) return;
  const run = await answer.json();
  bar.max = Math.max(run.total, 1);
  bar.value = run.done;
  words.textContent = words.dataset.template.replace("{done}", run.done).replace("{total}", run.total);
  if (run.ended) location.reload();
  else setTimeout(follow, POLL_MS);
}

setTimeout(follow, POLL_MS);
