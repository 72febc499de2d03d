from pipeline.index import Index

index = Index()
for text in ("red fish", "blue fishes", "red bird singing", "the red and blue birds"):
    index.add(text)
for query in ("red", "red fish", "blue bird", "fish bird", "sing red", "", "none red"):
    print(index.find(query))
