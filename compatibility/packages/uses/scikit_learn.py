"""Models trained at import; predictions in each request."""

from sklearn.cluster import KMeans
from sklearn.datasets import load_digits, load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

iris = load_iris()
digits = load_digits()
forest = RandomForestClassifier(20, random_state=1).fit(iris.data, iris.target)
vectors = make_pipeline(StandardScaler(), SVC()).fit(digits.data[:500], digits.target[:500])
clusters = KMeans(3, random_state=1, n_init=3).fit(iris.data)
words = TfidfVectorizer().fit(iris.feature_names)


def answer(number: int) -> str:
    kinds = forest.predict(iris.data[number : number + 40]).tolist()
    figures = vectors.predict(digits.data[600 + number : 640 + number]).tolist()
    sorted_counts = sorted(
        clusters.predict(iris.data[number : number + 60]).tolist().count(n) for n in range(3)
    )
    length = words.transform([f"petal length {number}"]).nnz
    return f"{number} {kinds} {figures} {sorted_counts} {length}"
