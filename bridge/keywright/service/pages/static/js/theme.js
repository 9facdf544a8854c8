// The chosen colours, before anything is painted. A plain script, because modules run too late for that.
document.documentElement.dataset.theme = localStorage.getItem("keywright.theme") || "system";
