// Pictures of the tools: drawn here, so that nothing is loaded.

const ICONS = {
  look: '<path d="M5 3.5l5.2 14 2-5.6 5.6-2z"/><path d="M12.8 12.6l4.4 4.4"/>',
  give: '<path d="M10 17.5s-5.2-5-5.2-8.7a5.2 5.2 0 0 1 10.4 0c0 3.7-5.2 8.7-5.2 8.7z"/><path d="M7.7 8.8l1.7 1.7 3-3.2"/>',
  brush: '<path d="M16.8 3.2l-7.3 8"/><path d="M8.3 11.4c-2-.3-3.5 1-3.7 3-.1 1-.6 1.7-1.6 2.2 2.9.7 6.3.3 6.8-2.7.2-1.2-.4-2.2-1.5-2.5z"/>',
  lasso: '<path d="M10 3.5c4 0 7.2 2 7.2 4.7s-3.2 4.7-7.2 4.7-7.2-2-7.2-4.7 3.2-4.7 7.2-4.7z" stroke-dasharray="2.6 1.7"/><path d="M5.8 12c-1.4 1-1.2 2.7.4 2.9s1.9 1.6.6 2.6"/>',
  lock: '<rect x="4.5" y="9" width="11" height="8" rx="1.6"/><path d="M6.8 9V6.7a3.2 3.2 0 0 1 6.4 0V9"/>',
  undo: '<path d="M7.5 4.5L3.8 8.2l3.7 3.7"/><path d="M4 8.2h7.8a4.2 4.2 0 0 1 0 8.4H8"/>',
  redo: '<path d="M12.5 4.5l3.7 3.7-3.7 3.7"/><path d="M16 8.2H8.2a4.2 4.2 0 0 0 0 8.4H12"/>',
  pick: '<path d="M11.2 6.3l2.5 2.5M12.2 5.3l1.6-1.6a1.77 1.77 0 0 1 2.5 2.5l-1.6 1.6M11.8 7.3l-6.6 6.6-.9 2.8 2.8-.9 6.6-6.6"/>',
  help: '<path d="M7.3 7.6a2.7 2.7 0 1 1 3.8 2.5c-.8.4-1.1.9-1.1 1.9"/><path d="M10 15.2v.1"/>',
};

function icon(name) {
  const made = element("span", "icon");
  made.setAttribute("aria-hidden", "true");
  // Constant drawings of this file; never text of a user.
  made.innerHTML = `<svg viewBox="0 0 20 20" width="19" height="19" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round">${ICONS[name]}</svg>`;
  return made;
}
