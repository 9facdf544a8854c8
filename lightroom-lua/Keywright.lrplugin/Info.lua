-- What Lightroom reads first, in a restricted environment: names, the menu, the settings page.

local VERSION = { major = 0, minor = 1, revision = 0, build = 1 }

return {
  LrSdkVersion = 13.0,
  LrSdkMinimumVersion = 6.0,
  LrToolkitIdentifier = "app.keywright.lightroom",
  LrPluginName = LOC("$$$/Keywright/Name=Keywright"),
  LrPluginInfoProvider = "SettingsPage.lua",
  LrLibraryMenuItems = {
    {
      title = LOC("$$$/Keywright/Menu/Suggest=Suggest keywords"),
      file = "SuggestKeywords.lua",
      enabledWhen = "photosAvailable",
    },
    { title = LOC("$$$/Keywright/Menu/Apply=Apply accepted keywords"), file = "ApplyAccepted.lua" },
    { title = LOC("$$$/Keywright/Menu/Learn=Learn from this catalog"), file = "LearnCatalog.lua" },
    { title = LOC("$$$/Keywright/Menu/Review=Review in browser"), file = "ReviewInBrowser.lua" },
    {
      title = LOC("$$$/Keywright/Menu/Similar=Find photos like these"),
      file = "FindSimilar.lua",
      enabledWhen = "photosSelected",
    },
    { title = LOC("$$$/Keywright/Menu/Undo=Undo Keywright's last batch"), file = "UndoBatch.lua" },
  },
  VERSION = VERSION,
}
