// The view of each study, kept over a reload of the page, in this tab only.

const VIEWS_KEY = "buju-views";
const VIEWS_KEPT = 20;

function recallViews() {
  try {
    return JSON.parse(sessionStorage.getItem(VIEWS_KEY)) || {};
  } catch {
    return {};
  }
}

function recallView(study) {
  return recallViews()[study];
}

function keepView(study, view) {
  try {
    const { [study]: before, ...others } = recallViews();
    const latest = Object.entries(others).slice(-VIEWS_KEPT);
    sessionStorage.setItem(VIEWS_KEY, JSON.stringify({ ...Object.fromEntries(latest), [study]: view }));
  } catch {
    // A browser that keeps nothing loses only the view.
  }
}
