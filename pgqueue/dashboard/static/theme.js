// Before anything is drawn: the theme that this browser was told to keep.
"use strict";
try {
  const kept = localStorage.getItem("pgqueue-theme");
  if (kept) document.documentElement.dataset.theme = kept;
} catch { /* a browser that keeps nothing follows its system */ }
