-- Runs, sessions and agents as the server tells them, and as they are shown in a list.
local M = {}

---@class bugLsp.Session
---@field sessionId string
---@field kind "debug"|"proof"|"orchestrator"
---@field agentType string
---@field title string
---@field status "pending"|"running"|"completed"|"failed"|"cancelled"
---@field activity string

---@class bugLsp.Run
---@field debugRunId string
---@field taskUri string
---@field title string
---@field createdAt string
---@field sessions bugLsp.Session[]
---@field proof bugLsp.Session|userdata vim.NIL where there is none
---@field orchestrator bugLsp.Session|userdata
---@field totalCount integer
---@field completedCount integer
---@field delivered boolean

---@class bugLsp.Agent
---@field agentType string
---@field installed boolean
---@field ready boolean
---@field version string|userdata
---@field hint string

---Those that can be asked for, the ready ones first.
---@param agents bugLsp.Agent[]
---@return bugLsp.Agent[]
function M.installed(agents)
  local found = {}
  for _, ready in ipairs({ true, false }) do
    for _, agent in ipairs(agents) do
      local only_orchestrates = agent.agentType == "digest"
      if agent.installed and agent.ready == ready and not only_orchestrates then
        found[#found + 1] = agent
      end
    end
  end
  return found
end

---@param agent bugLsp.Agent
---@return string
function M.agent_line(agent)
  return agent.ready and agent.agentType or ("%s (%s)"):format(agent.agentType, agent.hint)
end

---All sessions of a run, the orchestrator last.
---@param run bugLsp.Run
---@return bugLsp.Session[]
function M.sessions(run)
  local all = vim.list_slice(run.sessions)
  for _, later in ipairs({ run.proof, run.orchestrator }) do
    if later ~= vim.NIL then
      all[#all + 1] = later
    end
  end
  return all
end

---@param session bugLsp.Session
function M.is_running(session)
  return session.status == "pending" or session.status == "running"
end

---@param session bugLsp.Session
---@return string
function M.session_line(session)
  local doing = M.is_running(session) and session.activity ~= "" and ", " .. session.activity or ""
  local name = session.title:match("^[^:]*")
  return ("%s %s (%s%s)"):format(name, session.agentType, session.status, doing)
end

---@param run bugLsp.Run
---@return string
function M.run_line(run)
  local going = #vim.tbl_filter(M.is_running, M.sessions(run))
  local state = ("%d of %d completed"):format(run.completedCount, run.totalCount)
  if going > 0 then
    state = ("%d at work, %s"):format(going, state)
  elseif not run.delivered then
    state = state .. ", no synthesis"
  end
  return ("%s  %s (%s)"):format(run.createdAt:sub(1, 16):gsub("T", " "), run.title, state)
end

return M
